-- Takes a sign-in that was begun, once; no row where there is none, or it is too old. Parameters: digest, longest (interval).
delete from peerpause.sign_in_attempts as a
where a.digest = %(digest)s and a.created_at > now() - %(longest)s::interval
returning a.state, a.nonce, a.verifier, a.next_path
