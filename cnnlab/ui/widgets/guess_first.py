"""A guess before a result is shown: offered in one line, written in a small form, scored beside the result.

Nobody has to guess. Whoever says so once is not asked again, as the browser remembers it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.learn.guess_record import Habit, KeptScore
from cnnlab.learn.guesses import LARGEST, Ask, Guess, Outcome, score, score_in_words
from cnnlab.ui.shell import flash
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import GUESS_HABIT, GUESSES_GIVEN, RESULTS_SEEN, guess_field
from cnnlab.ui.widgets.guess_record import add_score, guess_habit, guess_record, known_record

ABREAST = 4  # choices beside each other; more are a list
_ICON = ":material/lightbulb:"
_PARTS = ("choice", "amount", "label")  # of a Guess
_REMEMBERED = "Your browser remembers it, for all pages. “Guess first” brings the question back."


def guess_first(
    place: str,
    ask: Ask,
    outcome: Callable[[], Outcome] | None,
    *,
    waits: bool = True,
    is_begun: bool = False,
    aside: DeltaGenerator | None = None,
) -> bool:
    """Offer a guess of a result, or show how good it was; return whether the result may be shown.

    ``outcome`` computes what guesses are scored by; None where there is no result yet. A result that ``waits`` is not
    shown before the reader has said whether they want to guess; others only wait for those who do. Once it ``is_begun``
    to appear, there is nothing to guess. ``place`` tells this from others on the page; ``aside`` is where the button is
    that brings guesses back, else here.
    """
    here = st.container(gap="xsmall")
    with here:
        given = _given(ask)
        if given:
            _tell(ask, given[0], given[1] or _scored(ask, given[0], outcome))
        elif is_begun:
            RESULTS_SEEN.fill(set()).add(ask.id)
        elif not is_known(ask):
            _offer(ask, waits, outcome is not None)
        may_show = bool(given) or is_begun or is_known(ask)
        if not given and (may_show or outcome is None):
            _remind(place, ask, aside or here)
        guess_record(place, is_shown=bool(given) or guess_habit() == "guess")
    return may_show


def _given(ask: Ask) -> tuple[Guess, Outcome | None] | None:
    """Return the guess with what came out; None before any, and where a choice was renamed before it was scored."""
    given = GUESSES_GIVEN.get().get(ask.id)
    if given and not given[1] and not ask.offers(given[0]):
        del GUESSES_GIVEN.fill({})[ask.id]
        return None
    return given


def is_known(ask: Ask) -> bool:
    """Whether the reader has seen this result, or guessed it before."""
    return ask.id in RESULTS_SEEN.get() or ask.id in {one.id for one in known_record().scored}


def is_awaited(ask: Ask) -> bool:
    """Whether the reader wants to guess this result and has not yet, so that no part of a page may tell it."""
    return guess_habit() == "guess" and ask.id not in GUESSES_GIVEN.get() and not is_known(ask)


def _offer(ask: Ask, waits: bool, is_there: bool) -> None:
    """Show the form to those who guess, a question to those who have not said; note what others see without."""
    habit = guess_habit()
    if habit == "guess":
        _form(ask, is_there)
    elif habit == "" and waits and is_there:
        _question(ask)
    elif habit is not None and is_there:
        RESULTS_SEEN.fill(set()).add(ask.id)


def _question(ask: Ask) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":small[:primary[{_ICON}] {ask.asks}]")
        with st.container(horizontal=True, width="content", gap="small"):
            _switch("Guess first", "guess", ask, "secondary")
            _switch("Show", "show", ask, "tertiary", f"Shows all results at once from now on. {_REMEMBERED}")


def _remind(place: str, ask: Ask, aside: DeltaGenerator) -> None:
    """Offer to guess, or say that the next results wait."""
    if guess_habit() == "guess" and is_known(ask):
        aside.caption("You know this result. The next new one waits for your guess.")
    elif guess_habit() in ("", "show"):
        aside.button(
            "Guess first",
            key=f"guess.first.{place}",
            icon=_ICON,
            type="tertiary",
            help="Results that you have not seen wait for your guess, and are scored.",
            on_click=_choose,
            args=["guess"],
        )


def _switch(label: str, habit: str, ask: Ask, kind: Literal["secondary", "tertiary"], about: str = "") -> None:
    st.button(
        label,
        key=f"guess.{habit}.{ask.id}",
        type=kind,
        help=about or None,
        on_click=_choose,
        args=[habit],
        width="content",
    )


def _choose(habit: Habit) -> None:
    GUESS_HABIT.put(habit)


def _form(ask: Ask, is_there: bool) -> None:
    """Show the parts of a guess; with a result also a way past it."""
    with st.form(f"guess.form.{ask.id}"):
        st.markdown(f":small[:primary[{_ICON}] **Guess first.** {ask.asks}]")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            _fields(ask)
        flash.tell(f"guess.{ask.id}")
        with st.container(horizontal=True, gap="small"):
            st.form_submit_button("Guess", on_click=_give, args=[ask])
            if is_there:
                st.form_submit_button("Skip", type="tertiary", on_click=_skip, args=[ask])
            st.form_submit_button("Stop asking", type="tertiary", on_click=_choose, args=["show"], help=_REMEMBERED)


def _fields(ask: Ask) -> None:
    choice, amount, label = (guess_field(ask.id, part).name for part in _PARTS)
    if 0 < len(ask.choices) <= ABREAST:
        st.radio("Which?", ask.choices, index=None, horizontal=True, key=choice, format_func=literal, width="content")
    elif ask.choices:
        st.selectbox("Which?", ask.choices, index=None, key=choice, placeholder="Choose", width=220)
    if ask.amount:
        st.number_input(ask.amount, value=None, step=1.0, format="%.4g", key=amount, width=200)
    if ask.classes:
        st.selectbox("Which class differs most?", ask.classes, index=None, key=label, placeholder="Choose", width=220)


def _give(ask: Ask) -> None:
    guess = Guess(*(guess_field(ask.id, part).get() for part in _PARTS))
    if guess.is_empty:
        flash.say(f"guess.{ask.id}", "Choose or type your guess, or skip it.", "error")
    elif guess.amount is not None and not abs(guess.amount) <= LARGEST:
        flash.say(f"guess.{ask.id}", f"Type a number from {-LARGEST:.0f} to {LARGEST:.0f}.", "error")
    else:
        GUESSES_GIVEN.fill({})[ask.id] = guess, None


def _skip(ask: Ask) -> None:
    RESULTS_SEEN.fill(set()).add(ask.id)


def _scored(ask: Ask, guess: Guess, outcome: Callable[[], Outcome] | None) -> Outcome | None:
    """Score a guess once; later changes of the page's settings leave its score as it is."""
    if outcome is None:
        return None
    found = outcome()
    GUESSES_GIVEN.fill({})[ask.id] = guess, found
    add_score(KeptScore.of(ask.id, ask.unit, score(guess, found)))
    return found


def _tell(ask: Ask, guess: Guess, outcome: Outcome | None) -> None:
    with st.container(border=True):
        if outcome is None:
            st.markdown(f":small[:primary[{_ICON}] Your guess is scored once the result is complete.]")
            return
        told = [literal(part) for part in score_in_words(ask, guess, outcome)]
        if guess.choice is None:
            st.markdown(f":primary[{_ICON}] {' '.join(told)}")
        elif guess.choice in outcome.best:
            st.markdown(f":green[:material/check_circle:] **{told[0]}** {' '.join(told[1:])}")
        else:
            st.markdown(f":orange[:material/lightbulb_2:] **{told[0]}** {' '.join(told[1:])}")
