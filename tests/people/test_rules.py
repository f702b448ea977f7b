from __future__ import annotations

import pytest

from cnnlab.people.rules import ClassRules, ClassRulesError, parse_rules


def test_addresses_and_domains_are_read_as_lists_or_as_text() -> None:
    rules = parse_rules({"teachers": ["Ada@School.org"], "allow": "@pupils.school.org, college.edu"})
    assert rules.teachers == {"ada@school.org"}
    assert rules.allow == {"@pupils.school.org", "@college.edu"}
    assert not rules.has_code


def test_a_code_lets_in_as_what_it_is_for() -> None:
    rules = ClassRules(code="blue whale", teacher_code="red panda")
    assert rules.has_code
    assert rules.role_of_code(" blue whale ") == "member"
    assert rules.role_of_code("red panda") == "teacher"
    assert rules.role_of_code("Blue WHALE") == "member"
    assert ClassRules(code="Blue Whale").role_of_code("blue whale") == "member"
    assert rules.role_of_code("blue whales") == "stranger"


@pytest.mark.parametrize("rules", [ClassRules(), ClassRules(code="blue whale"), ClassRules(teacher_code="red panda")])
@pytest.mark.parametrize("typed", ["", " ", "wrong", "bl\u00fce whale"])
def test_no_code_lets_in_where_there_is_none_or_another(rules: ClassRules, typed: str) -> None:
    assert rules.role_of_code(typed) == "stranger"


@pytest.mark.parametrize(
    ("section", "what"),
    [
        ({"code": "short"}, "at least 6 characters"),
        ({"code": "     a    "}, "at least 6 characters"),
        ({"cod": "blue whale"}, "cod"),
        ({"code": 123456}, "code"),
        ({"teachers": {"ada": 1}}, "teachers"),
        ({"code": "blue whale", "teacher_code": "blue whale"}, "the same"),
        ({"code": "blue whale", "teacher_code": "Blue Whale"}, "capitals do not count"),
    ],
)
def test_wrong_rules_are_refused_with_what_is_wrong(section: dict[str, object], what: str) -> None:
    with pytest.raises(ClassRulesError, match=what):
        parse_rules(section)


def test_quotas_are_numbers_from_one_on() -> None:
    rules = parse_rules({"code": "blue whale", "running": 1, "queued": 3, "images_a_day": 10**7, "disk_mb": 500})
    assert (rules.running, rules.queued, rules.images_a_day, rules.disk_mb) == (1, 3, 10**7, 500)
    with pytest.raises(ClassRulesError, match="disk_mb"):
        parse_rules({"disk_mb": 0})
