"""The person who uses this browser session, and what they may do; everything that asks who somebody is asks here.

Somebody is known by their account where the server has a login, else by a cookie that a server for a class gives each
browser (``browser_key``). Without rules for a class whoever is let in is an administrator, as on one's own machine.
"""

from __future__ import annotations

import os
from hmac import compare_digest
from ipaddress import ip_address
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from cnnlab.people.allowed import allowed, is_allowed, is_shared
from cnnlab.people.api_keys import ApiKeys, Holder
from cnnlab.people.attempts import Attempts
from cnnlab.people.identity import id_of_browser, id_of_login, keyed, people_folder, server_secret
from cnnlab.people.members import MAX_NAME, Member, Members
from cnnlab.people.rights import ADMINISTRATOR, STRANGER, Action, Person, Role, Thing
from cnnlab.people.rights import may as may_person
from cnnlab.people.rules import ClassRules, ClassRulesError, parse_rules
from cnnlab.runs.store import runs_folder
from cnnlab.text import one_line
from cnnlab.ui.shell.browser_key import token_of
from cnnlab.ui.shell.state import ME

NO_NAME = "Type your name, so that your teacher can see whose work it is."
VISITORS = "CNNLAB_VISITORS"  # "yes": a server without rules for a class has visitors too
TOO_MANY = "There were too many wrong codes. Wait a minute, then try again."
WRONG_CODE = "This code is wrong. Ask your teacher."


def me() -> Person:
    """Return who uses this session: a stranger where the server's rules do not let them in.

    Between two drawings of a page somebody stays who they were: a page and its parts ask often.
    """
    return ME.get() or _identified()


def identify() -> Person:
    """Find out anew who uses this session, as each page does first, and return them."""
    ME.drop()
    somebody = me()
    ME.put(somebody)
    return somebody


def _identified() -> Person:
    try:
        rules = class_rules()
    except ClassRulesError:
        return STRANGER
    if logged_in := _logged_in(rules):
        return logged_in
    if rules is None:
        has_login = st.user.get("is_logged_in") is not None or allowed()
        if not has_login and not comes_from_elsewhere():
            return ADMINISTRATOR
    joined = _joined(rules) if rules else None
    return joined or (Person("visitor") if _welcomes_visitors(rules) else STRANGER)


def of_key(key: str) -> Person | None:
    """Return whose program sends a key; None where it is none, or the server's rules no longer let its holder in."""
    holder = api_keys().holder(key)
    try:
        rules = class_rules()
    except ClassRulesError:
        return None
    if holder is None or (rules is None) != (holder.role == "administrator"):
        return None
    if rules is None:
        return ADMINISTRATOR
    role = _role_of(holder.proof, rules) if holder.proof else holder.role
    return Person(role, holder.id) if role else None


def as_holder() -> Holder:
    """Return the session's person as whose a key can be; one of theirs is nobody else's."""
    somebody = me()
    member = _members().get(somebody.id) if somebody.id else None
    return Holder(id=somebody.id, role=somebody.role, proof=member.proof if member else "")


def api_keys() -> ApiKeys:
    """Open the keys of this server's people."""
    return ApiKeys(people_folder(runs_folder()) / "keys", _secret())


def may_have_visitors() -> bool:
    """Check whether this server lets visitors ask the runs that are open to them. Raises as ``class_rules``."""
    return _welcomes_visitors(class_rules())


def _welcomes_visitors(rules: ClassRules | None) -> bool:
    return rules.visitors if rules else os.environ.get(VISITORS, "no") == "yes"


def may(action: Action, thing: Thing) -> bool:
    """Check whether the session's person may do that with ``thing``."""
    return may_person(me(), action, thing)


def is_class() -> bool:
    """Check whether things belong to people here: the server has rules for a class."""
    return me().role != "administrator"


def is_member() -> bool:
    """Check whether the session's person is in a class: a pupil or a teacher."""
    return me().role in ("member", "teacher")


def owner() -> str:
    """Return whose the things are that the session's person makes: a member's own id.

    What those in charge make is nobody's: everybody's without a class, all teachers' in one.
    """
    somebody = me()
    return "" if somebody.is_in_charge else somebody.id or somebody.role


def class_rules() -> ClassRules | None:
    """Return the server's rules for a class; None where it has none. Raises ClassRulesError where they are wrong."""
    try:
        section = st.secrets.get("class")
    except StreamlitSecretNotFoundError as error:
        if any(Path(path).exists() for path in st.get_option("secrets.files")):  # it may have had rules
            raise ClassRulesError("the server's secrets cannot be read") from error
        return None
    return None if section is None else parse_rules(section)


def comes_from_elsewhere() -> bool:
    """Check whether the session's browser is on another machine than the server, as far as that can be seen."""
    hops = [st.context.ip_address, *",".join(st.context.headers.get_all("X-Forwarded-For")).split(",")]
    return any(_is_remote(hop.strip()) for hop in hops if isinstance(hop, str) and hop.strip())


def join(code: str, name: str) -> str:
    """Let the session's person in by a code; return why not, empty where they are in."""
    rules, token = class_rules(), browser_token()
    address = st.context.ip_address or ""
    if not _attempts().is_allowed(address):
        return TOO_MANY
    if not (named := one_line(name).strip()[:MAX_NAME]):
        return NO_NAME
    role = rules.role_of_code(code) if rules else "stranger"
    if not rules or not token or role == "stranger":
        _attempts().note(address)
        return WRONG_CODE
    secret = _secret()
    _members().put(id_of_browser(secret, token), Member(name=named, proof=_proof(secret, rules.code_of(role))))
    return ""


def leave() -> None:
    """Have nobody be in any more by this browser's key, on none of its pages, nor by the person's key for programs.

    Raises OSError.
    """
    if member := _members().get(me().id):
        api_keys().revoke(me().id)
        _members().put(me().id, Member(name=member.name))


def note_name(person: Person) -> None:
    """Keep the name of somebody with an account, so that teachers see whose work it is."""
    known = _members().get(person.id) if person.id and person.name else None
    if person.id and person.name and (known is None or known.name != person.name):
        _members().put(person.id, Member(name=person.name))


def names() -> dict[str, str]:
    """Return the names of all who have come in, by id; for those in charge."""
    return _members().names()


def browser_token() -> str:
    """Return the key that the server gave this browser; empty where it gave none."""
    return token_of(st.context.cookies)


def _logged_in(rules: ClassRules | None) -> Person | None:
    """Return the person of the account; None where there is none, or it is not allowed."""
    if not st.user.get("is_logged_in"):
        return None
    of_all_tenants = is_shared(st.secrets.get("auth", {}))
    named = rules.teachers | rules.allow if rules else frozenset()
    if not is_allowed(st.user, allowed() | named, of_all_tenants):
        return None
    if rules is None:
        return ADMINISTRATOR
    role: Role = "teacher" if is_allowed(st.user, rules.teachers, of_all_tenants) else "member"
    subject = str(st.user.get("sub") or st.user.get("email"))
    name = one_line(str(st.user.get("name") or st.user.get("email")))[:MAX_NAME]
    return Person(role, id_of_login(_secret(), str(st.user.get("iss") or ""), subject), name)


def _joined(rules: ClassRules) -> Person | None:
    """Return the person who joined with this browser; None where nobody did, or with a code of before."""
    token = browser_token()
    if not token or not rules.has_code:
        return None
    secret = _secret()
    own_id = id_of_browser(secret, token)
    member = _members().get(own_id)
    role = _role_of(member.proof, rules) if member else None
    return Person(role, own_id, member.name) if member and role else None


def _role_of(proof: str, rules: ClassRules) -> Role | None:
    """Return as what the code lets in that somebody joined with; None where it no longer does."""
    roles: tuple[Role, ...] = ("teacher", "member")
    secret, codes = _secret(), {role: rules.code_of(role) for role in roles}
    is_of = (role for role, code in codes.items() if code and compare_digest(proof, _proof(secret, code)))
    return next(is_of, None)


def _proof(secret: bytes, code: str) -> str:
    return keyed(secret, "code", code)


def _is_remote(address: str) -> bool:
    try:
        return not ip_address(address.partition("%")[0]).is_loopback
    except ValueError:  # a proxy may write "unknown"
        return True


def _secret() -> bytes:
    return server_secret(people_folder(runs_folder()))


def _members() -> Members:
    return Members(people_folder(runs_folder()))


@st.cache_resource(show_spinner=False)
def _attempts() -> Attempts:
    return Attempts()
