"""Question 1: what a change of status costs in SQL, beside the bare transaction that any application would send."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, LiteralString

import psycopg

from benchmarks import server as servers
from benchmarks.pgbench import pgbench
from benchmarks.population import Connection, Population, coordinator_id
from benchmarks.question import Question, Report, Run, Table, ask, verify
from benchmarks.spread import alternating
from tests.servers import Server

QUESTION: Final = Question(
    number=1,
    module="bench_01_status_change",
    title="A change of status in SQL",
    method=(
        "pgbench pauses a mentor and brings the mentor back, each in a transaction of its own, over 100,000 mentors, prepared statements. "
        "**Ours** is one call of `update_mentor_status` by a coordinator: permission, legal move, reason, certificate and audit. "
        "**Bare** is what an application sends that trusts itself: `begin; select … for update; update; insert; commit`, on a copy of the "
        "table with the same columns, checks and indexes and no trigger, beside a history of plain columns with a foreign key, an "
        "identity and one index. **Bare function** is the same three statements inside one server-side function, which saves the round trips. "
        "Each run is verified: as many history rows as changes."
    ),
    budgets=("change-in-sql",),
    tried={
        "change-in-sql": (
            "With one client ours may be the quicker one, for it needs one round trip where bare needs five; with 16 the two processors are busy, and what counts is "
            "the work: permission, guard, certificate and audit are that much more than three bare statements; the second table shows how much each. The trigger's "
            "share is two look-ups, three indexes, a foreign key and three checks. Kept: codes, clock and ids as expressions that the "
            "planner puts in place of a call; questions asked only where they can matter. Tried and not kept, because the difference drowned in the noise: no lock before the "
            "update, permission in one query instead of two. By callgrind's count a change takes 1.26 million instructions and the three bare statements 0.48: "
            "the record of it takes 0.40, the guard 0.15, the permission 0.12, the mentor row's checks 0.10. Counted and not kept: a trigger for single rows (3.5 % less, and "
            "the nightly check would pay), search paths that are not pinned (6 % less). What would help and was not done: functions in C."
        )
    },
)

_CLIENTS: Final = (1, 8, 16)

_BARE: Final[LiteralString] = """
create schema bare;
create table bare.peer_mentors (like public.peer_mentors including all);
insert into bare.peer_mentors select * from public.peer_mentors;
create table bare.history (
  id bigint generated always as identity primary key,
  mentor_id uuid not null references bare.peer_mentors (id),
  previous_status text not null,
  new_status text not null,
  changed_by uuid,
  changed_at timestamptz not null,
  reason text
);
create index on bare.history (mentor_id, changed_at);

create function bare.change(p_id uuid, p_to text, p_actor uuid, p_reason text) returns timestamptz language plpgsql as $$
declare
  v_old text;
  v_now timestamptz := clock_timestamp();
begin
  select status into v_old from bare.peer_mentors where id = p_id for update;
  update bare.peer_mentors
  set
    status = p_to::public.mentor_status, updated_at = v_now,
    pause_at = case when p_to = 'paused' then v_now end, pause_reason = case when p_to = 'paused' then p_reason end
  where id = p_id;
  insert into bare.history (mentor_id, previous_status, new_status, changed_by, changed_at, reason)
  values (p_id, v_old, p_to, p_actor, v_now, p_reason);
  return v_now;
end
$$;
"""

_FUNCTIONS: Final[LiteralString] = """
select '`' || funcname || '`', round((sum(self_time) * 1000 / %(changes)s)::numeric, 1)
from pg_stat_user_functions
group by funcname
having sum(self_time) * 1000 / %(changes)s >= 1
order by sum(self_time) desc
"""

# Each client has mentors of its own, so that none meets a mentor whom another has just paused.
_CHOOSE: Final = "\\set n :client_id + 1 + :clients * random(0, :mentors / :clients - 1)\n"
_ACTOR: Final = coordinator_id(1)
_ID: Final = "('a' || lpad((:n)::text, 31, '0'))::uuid"

_OURS_SCRIPT: Final = (
    _CHOOSE
    + f"select public.update_mentor_status({_ID}, 'paused', '{_ACTOR}', 'illness');\n"
    + f"select public.update_mentor_status({_ID}, 'active', '{_ACTOR}', 'returned');\n"
)
_FUNCTION_SCRIPT: Final = (
    _CHOOSE
    + f"select bare.change({_ID}, 'paused', '{_ACTOR}', 'illness');\n"
    + f"select bare.change({_ID}, 'active', '{_ACTOR}', 'returned');\n"
)
_BARE_SCRIPT: Final = (
    _CHOOSE
    + f"""begin;
select status, updated_at from bare.peer_mentors where id = {_ID} for update;
update bare.peer_mentors set status = 'paused', pause_at = now(), pause_reason = 'illness', updated_at = now() where id = {_ID};
insert into bare.history (mentor_id, previous_status, new_status, changed_by, changed_at, reason)
values ({_ID}, 'active', 'paused', '{_ACTOR}', now(), 'illness');
commit;
begin;
select status, updated_at from bare.peer_mentors where id = {_ID} for update;
update bare.peer_mentors
set status = 'active', pause_at = null, pause_reason = null, reactivated_at = now(), updated_at = now() where id = {_ID};
insert into bare.history (mentor_id, previous_status, new_status, changed_by, changed_at, reason)
values ({_ID}, 'paused', 'active', '{_ACTOR}', now(), 'returned');
commit;
"""
)


@dataclass(frozen=True, slots=True)
class _Contender:
    name: str
    script: str
    history: LiteralString
    claims: bool = False


_CONTENDERS: Final = (
    _Contender("ours", _OURS_SCRIPT, "select count(*) from public.peer_mentor_status_history", claims=True),
    _Contender("bare", _BARE_SCRIPT, "select count(*) from bare.history"),
    _Contender("bare function", _FUNCTION_SCRIPT, "select count(*) from bare.history"),
)


def measure(run: Run) -> Report:
    """Alternate the contenders at each number of clients."""
    population = Population(mentors=100_000, chapters=100, chapters_each=100)
    with servers.durable_server() as server, psycopg.connect(servers.url(server)) as connection:
        run.say("100,000 mentors …")
        population.fill(connection)
        _make_bare(connection)
        report = Report()
        rows = []
        for clients in _CLIENTS:
            run.say(f"{clients} client(s) …")
            rounds = alternating(
                {
                    contender.name: partial(
                        _changes_per_second, server, connection, contender, population, clients, run
                    )
                    for contender in _CONTENDERS
                },
                rounds=7 if run.full else 3,
            )
            ratio = rounds.ratio("ours", to="bare")
            report.measured["change-in-sql"] = ratio  # the last one counts: 16 clients
            rows.append(
                [
                    clients,
                    *(rounds.of(contender.name) for contender in _CONTENDERS),
                    ratio,
                    rounds.ratio("ours", to="bare function"),
                ]
            )
        report.tables.append(
            Table(
                [
                    "clients",
                    "ours, changes/s",
                    "bare, changes/s",
                    "bare function, changes/s",
                    "ours : bare",
                    "ours : bare function",
                ],
                rows,
            )
        )
        report.tables.append(_where_the_time_goes(server, connection, population, run))
        report.remarks.append(f"{servers.version(server)}.")
    return report


def _where_the_time_goes(server: Server, connection: Connection, population: Population, run: Run) -> Table:
    """PostgreSQL's own count of what each function takes, with one client; counting costs a little too."""
    run.say("where the time goes …")
    connection.commit()
    connection.autocommit = True
    connection.execute("alter system set track_functions = 'all'")
    connection.execute("select pg_reload_conf()")
    connection.execute("select pg_stat_reset()")
    connection.autocommit = False
    ours = _CONTENDERS[0]
    before = _count(connection, ours.history)
    _changes_per_second(server, connection, ours, population, 1, run)
    changes = _count(connection, ours.history) - before
    connection.execute("select pg_stat_clear_snapshot()")
    rows = connection.execute(_FUNCTIONS, {"changes": changes}).fetchall()
    connection.commit()
    return Table(
        ["function", "µs a change, without what it calls"],
        rows,
        caption="Where the time of ours goes, one client, by PostgreSQL's `track_functions`:",
    )


def _make_bare(connection: Connection) -> None:
    connection.execute(_BARE)
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum (analyze)")


def _changes_per_second(
    server: Server,
    connection: Connection,
    contender: _Contender,
    population: Population,
    clients: int,
    run: Run,
) -> float:
    before = _count(connection, contender.history)
    load = pgbench(
        server,
        contender.script,
        database=servers.DATABASE,
        clients=clients,
        seconds=4 if run.full else 2,
        variables={"mentors": population.mentors, "clients": clients},
        claims={"sub": str(_ACTOR), "role": "authenticated"} if contender.claims else None,
    )
    verify("history rows written", _count(connection, contender.history) - before, load.transactions * 2)
    return load.per_second * 2


def _count(connection: Connection, statement: LiteralString) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    ask(QUESTION, measure)
