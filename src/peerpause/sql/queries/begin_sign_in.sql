-- Keeps what the provider's answer will be compared with. Parameters: digest, state, nonce, verifier, next_path.
insert into peerpause.sign_in_attempts (digest, state, nonce, verifier, next_path)
values (%(digest)s, %(state)s, %(nonce)s, %(verifier)s, %(next_path)s)
