"""What a database consists of, said so that two can be compared: everything in its schemas, down to comments and grants."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeAlias

import psycopg

Catalogue: TypeAlias = Mapping[str, str]
"""Each thing in a database by kind and name, with all that defines it."""

# The ledger of migrations is the migrators' own business.
_SCHEMAS = r"""
  select n.oid, n.nspname, n.nspowner, n.nspacl
  from pg_namespace as n
  where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'supabase_migrations')
"""

# An access list as text: an absent one means the default, and who granted what does not matter.
_GRANTS = """
  coalesce((
    select string_agg(
      case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end
      || ' ' || x.privilege_type || case when x.is_grantable then '*' else '' end,
      ', ' order by case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end, x.privilege_type
    )
    from aclexplode({acl}) as x
  ), '')
"""

_SCHEMA_GRANTS = _GRANTS.format(acl="coalesce(s.nspacl, acldefault('n', s.nspowner))")
_RELATION_GRANTS = _GRANTS.format(
    acl="""coalesce(r.relacl, acldefault((case r.relkind when 'S' then 's' else 'r' end)::"char", r.relowner))"""
)
_COLUMN_GRANTS = _GRANTS.format(acl="a.attacl")
_FUNCTION_GRANTS = _GRANTS.format(acl="coalesce(p.proacl, acldefault('f', p.proowner))")
_TYPE_GRANTS = _GRANTS.format(acl="coalesce(t.typacl, acldefault('T', t.typowner))")
_DEFAULT_GRANTS = _GRANTS.format(acl="d.defaclacl")

_READ = f"""
with schemas as ({_SCHEMAS}),
relations as (
  select c.*, s.nspname, format('%I.%I', s.nspname, c.relname) as name
  from pg_class as c inner join schemas as s on s.oid = c.relnamespace
)
select 'schema ' || s.nspname as what, concat_ws(
  E'\\n', pg_get_userbyid(s.nspowner), {_SCHEMA_GRANTS},
  obj_description(s.oid, 'pg_namespace')
) as definition
from schemas as s
union all
select 'relation ' || r.name, concat_ws(
  E'\\n', 'kind ' || r.relkind::text || r.relpersistence::text, pg_get_userbyid(r.relowner),
  'row security ' || r.relrowsecurity || ', forced ' || r.relforcerowsecurity, 'options ' || r.reloptions::text,
  'replica identity ' || r.relreplident::text,
  {_RELATION_GRANTS},
  case when r.relkind in ('v', 'm') then pg_get_viewdef(r.oid) end,
  obj_description(r.oid, 'pg_class')
)
from relations as r
where r.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
union all
select 'column ' || r.name || '.' || a.attname, concat_ws(
  E'\\n', 'place ' || row_number() over (partition by r.oid order by a.attnum), format_type(a.atttypid, a.atttypmod),
  case when a.attnotnull then 'not null' end, 'default ' || pg_get_expr(d.adbin, d.adrelid),
  nullif('generated ' || a.attgenerated::text, 'generated '), nullif('identity ' || a.attidentity::text, 'identity '),
  'collation ' || nullif(a.attcollation, t.typcollation)::regcollation::text,
  {_COLUMN_GRANTS}, col_description(r.oid, a.attnum)
)
from relations as r
inner join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
inner join pg_type as t on t.oid = a.atttypid
left join pg_attrdef as d on d.adrelid = r.oid and d.adnum = a.attnum
where r.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
union all
select 'constraint ' || r.name || ' ' || c.conname, concat_ws(
  E'\\n', pg_get_constraintdef(c.oid), case when not c.convalidated then 'not validated' end,
  obj_description(c.oid, 'pg_constraint')
)
from relations as r inner join pg_constraint as c on c.conrelid = r.oid
union all
select 'index ' || x.indexrelid::regclass, concat_ws(
  E'\\n', pg_get_indexdef(x.indexrelid), case when not x.indisvalid then 'invalid' end,
  case when x.indisclustered then 'clustered' end, obj_description(x.indexrelid, 'pg_class')
)
from relations as r inner join pg_index as x on x.indrelid = r.oid
union all
select 'trigger ' || r.name || ' ' || t.tgname, concat_ws(
  E'\\n', pg_get_triggerdef(t.oid), 'enabled ' || t.tgenabled::text, obj_description(t.oid, 'pg_trigger')
)
from relations as r inner join pg_trigger as t on t.tgrelid = r.oid and not t.tgisinternal
union all
select 'policy ' || r.name || ' ' || p.polname, concat_ws(
  E'\\n', case when p.polpermissive then 'permissive' else 'restrictive' end, 'for ' || p.polcmd::text,
  (select string_agg(coalesce(o.rolname, 'public'), ', ' order by o.rolname)
   from unnest(p.polroles) as u (oid) left join pg_roles as o on o.oid = u.oid),
  'using ' || pg_get_expr(p.polqual, p.polrelid), 'with check ' || pg_get_expr(p.polwithcheck, p.polrelid),
  obj_description(p.oid, 'pg_policy')
)
from relations as r inner join pg_policy as p on p.polrelid = r.oid
union all
select 'rule ' || r.name || ' ' || w.rulename, pg_get_ruledef(w.oid)
from relations as r inner join pg_rewrite as w on w.ev_class = r.oid and w.rulename <> '_RETURN'
union all
select 'function ' || p.oid::regprocedure, concat_ws(
  E'\\n', pg_get_userbyid(p.proowner), pg_get_functiondef(p.oid),
  {_FUNCTION_GRANTS}, obj_description(p.oid, 'pg_proc')
)
from pg_proc as p inner join schemas as s on s.oid = p.pronamespace
where p.prokind in ('f', 'p')
union all
select 'type ' || format('%I.%I', s.nspname, t.typname), concat_ws(
  E'\\n', pg_get_userbyid(t.typowner),
  (select 'labels ' || string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_enum as e where e.enumtypid = t.oid),
  nullif(format_type(t.typbasetype, t.typtypmod), '-'),
  {_TYPE_GRANTS}, obj_description(t.oid, 'pg_type')
)
from pg_type as t inner join schemas as s on s.oid = t.typnamespace
where t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and t.typrelid in (select r.oid from relations as r where r.relkind = 'c'))
union all
select 'default grants ' || coalesce(s.nspname, 'everywhere') || ' ' || d.defaclobjtype::text || ' ' || pg_get_userbyid(d.defaclrole),
  {_DEFAULT_GRANTS}
from pg_default_acl as d left join schemas as s on s.oid = d.defaclnamespace
union all
select 'extension ' || e.extname, e.extversion from pg_extension as e
"""


def read_catalogue(connection: psycopg.Connection) -> Catalogue:
    """What the database of this connection consists of, as its open transaction sees it."""
    # Names are spelled in full whatever the session's search_path.
    with connection.transaction(), connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        cursor.execute("set local search_path = ''")
        cursor.execute(_READ.encode())
        return dict(cursor.fetchall())


def catalogue_of(url: str) -> Catalogue:
    """What the database at an address consists of."""
    with psycopg.connect(url) as connection:
        return read_catalogue(connection)


def differences(expected: Catalogue, actual: Catalogue) -> list[str]:
    """In words, what is missing, what is too much, and what is not as expected; empty where both are the same."""
    missing = [f"missing: {what}" for what in sorted(expected.keys() - actual.keys())]
    surplus = [f"too much: {what}" for what in sorted(actual.keys() - expected.keys())]
    changed = [
        "\n".join([f"not as expected: {what}", *_line_by_line(expected[what], actual[what])])
        for what in sorted(expected.keys() & actual.keys())
        if expected[what] != actual[what]
    ]
    return missing + surplus + changed


def _line_by_line(expected: str, actual: str) -> list[str]:
    lines = difflib.unified_diff(
        expected.splitlines(), actual.splitlines(), "expected", "actual", "", "", 1, ""
    )
    return [f"  {line}" for line in lines]
