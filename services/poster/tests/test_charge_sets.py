"""What a newer charge set does to held charges: the pure decision."""

from __future__ import annotations

from hourbridge.common.messages.events import Charge, ChargeSetChanged
from hourbridge.poster.charge_sets import Decision, HeldCharge, decide
from tests.support.charges import make_charge
from tests.support.posting import charge_set


def changed(*charges: Charge, revision: int = 2, mapping: int = 1) -> ChargeSetChanged:
    data: ChargeSetChanged = charge_set("r", charges, revision, mapping).event.data
    return data


def billed(charge_id: str, revision: int = 1, *, is_posted: bool = True) -> HeldCharge:
    return HeldCharge(charge_id, "billed", revision, "d1", is_posted)


def test_new_charges_are_unbilled() -> None:
    charge = make_charge("a")
    assert decide(changed(charge), []) == Decision(written=((charge, "unbilled"),))


def test_unbilled_charges_are_replaced_and_dropped() -> None:
    held = [HeldCharge("a", "unbilled"), HeldCharge("b", "unbilled")]
    decision = decide(changed(make_charge("a", 60)), held)
    assert [(c.charge_id, state) for c, state in decision.written] == [("a", "unbilled")]
    assert decision.dropped == ("b",)
    assert not decision.corrections


def test_a_newer_revision_of_posted_work_asks_for_a_correction() -> None:
    decision = decide(changed(make_charge("a", 60), revision=2), [billed("a")])
    assert [(c.charge_id, state) for c, state in decision.written] == [("a", "billed")]
    assert decision.corrections == {"d1"}


def test_posted_work_that_is_gone_is_withdrawn_not_dropped() -> None:
    decision = decide(changed(revision=2), [billed("a")])
    assert (decision.withdrawn, decision.dropped) == (("a",), ())
    assert decision.corrections == {"d1"}


def test_a_newer_mapping_never_touches_posted_work() -> None:
    held = [billed("a"), HeldCharge("b", "unbilled")]
    newer = changed(make_charge("c"), revision=1, mapping=2)
    assert decide(newer, held) == Decision(is_settled=True)


def test_a_newer_mapping_changes_what_is_only_drafted() -> None:
    held = [billed("a", is_posted=False)]
    decision = decide(changed(make_charge("a"), revision=1, mapping=2), held)
    assert decision.corrections == {"d1"}


def test_what_came_back_is_on_its_line_again_or_unbilled() -> None:
    on_line = HeldCharge("a", "withdrawn", 1, "d1", is_posted=True)
    free = HeldCharge("b", "withdrawn")
    decision = decide(changed(make_charge("a"), make_charge("b"), revision=3), [on_line, free])
    assert [state for _, state in decision.written] == ["billed", "unbilled"]
