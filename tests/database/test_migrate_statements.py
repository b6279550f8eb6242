"""Promises of the splitter: semicolons that end a statement, and those that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerpause.database.statements import split


@pytest.mark.parametrize(
    "text",
    [
        "select ';'",
        "select 'it''s; fine'",
        r"select e'\'; still inside'",
        'select 1 as "a;b"',
        "select 1 -- not; yet\n + 1",
        "select /* a; /* nested; */ b; */ 1",
        "do $$ begin perform 1; end $$",
        "do $outer$ begin execute $inner$ select 1; $inner$; end $outer$",
        "create function f() returns int language sql begin atomic select 1; select case when true then 2 end; end",
        "select $1, a$b, c$b from t",
    ],
)
def test_it_keeps_one_statement_whole(text: str) -> None:
    assert [statement.text for statement in split(f"{text};")] == [text]


def test_it_cuts_at_each_semicolon_and_drops_what_is_empty() -> None:
    assert [statement.text for statement in split("select 1;;\n select 2 ; \n")] == ["select 1", "select 2"]


def test_it_goes_on_cutting_behind_an_atomic_body() -> None:
    text = "create procedure p() begin atomic select 1; end; select 2; begin; select 3"
    assert [statement.text for statement in split(text)] == [
        "create procedure p() begin atomic select 1; end",
        "select 2",
        "begin",
        "select 3",
    ]


def test_it_keeps_comments_with_the_statement_they_introduce() -> None:
    statements = split("-- first\nselect 1;\n\n-- second\nselect 2;\n-- the end\n")
    assert [(each.text, each.line, each.code_line) for each in statements] == [
        ("-- first\nselect 1", 1, 2),
        ("-- second\nselect 2", 4, 5),
        ("-- the end", 6, 6),
    ]


def test_it_tells_the_line_of_any_place_in_a_statement() -> None:
    statement = split("select 1;\n\nselect\n  2,\n  3;")[1]
    assert statement.line_of(statement.text.index("3")) == 5


@pytest.mark.parametrize(
    "text", ["begin", "-- why\nCOMMIT", "/* x */ rollback to a", "start transaction", "end"]
)
def test_it_recognises_transaction_control(text: str) -> None:
    assert split(text)[0].ends_transaction


@pytest.mark.parametrize(
    "text", ["do $$ begin end $$", "create table ends ()", "-- commit\nselect 1", "-- commit"]
)
def test_it_takes_nothing_else_for_transaction_control(text: str) -> None:
    assert not split(text)[0].ends_transaction


_pieces = st.lists(
    st.sampled_from(
        [
            "select 1",
            "';'",
            '";"',
            "$$;$$",
            "$a$;$$;$a$",
            "--;\n",
            "/*;*/",
            "\n",
            " ",
            "begin atomic",
            "end",
            "é",
        ]
    )
)


@given(pieces=_pieces, ends=st.sampled_from(["", ";", ";;\n"]))
def test_it_loses_nothing_but_semicolons_and_space(pieces: list[str], ends: str) -> None:
    text = ";".join(pieces) + ends

    def bare(sql: str) -> str:
        return "".join(sql.replace(";", "").split())

    assert bare("".join(statement.text for statement in split(text))) == bare(text)


@given(pieces=_pieces)
def test_it_finds_the_same_statements_when_they_are_put_together_again(pieces: list[str]) -> None:
    once = [statement.text for statement in split(";".join(pieces))]
    closed = [text for text in once if not text.endswith("*/") and "--" not in text and "atomic" not in text]
    assert [statement.text for statement in split(";\n".join(closed))] == closed
