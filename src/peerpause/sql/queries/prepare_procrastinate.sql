-- A schema of Procrastinate's own; what follows in this transaction is made there.
create schema if not exists procrastinate;
set local search_path = procrastinate
