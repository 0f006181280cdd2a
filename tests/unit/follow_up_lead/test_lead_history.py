"""What the person said before, and their former leads."""

from shared.adapters.lead_table import Words
from tests.unit.domain.samples import a_lead, at
from tests.unit.follow_up_lead.scene import Scene, say


def words(second: float, **values: str) -> Words:
    return Words(received_at=at(second), form_title="Free consultation", values=values)


def test_one_short_message_is_said_once() -> None:
    scene = Scene()
    say(scene, words(0, message="A machine that calculates", name="Ada", phone="1", consent="on"))

    assert "Everything that was said" not in scene.text()


def test_every_submission_stands_in_its_own_words() -> None:
    scene = Scene()
    say(scene, words(0, message="x" * 900, budget="50 000"), words(40, message="After lunch"))
    text = scene.text()

    assert f"10:00 · Free consultation {'x' * 900} budget 50 000" in text
    assert "10:00 · Free consultation After lunch" in text
    assert "not shown here" not in text


def test_of_very_many_the_last_ones_are_shown() -> None:
    scene = Scene()
    say(scene, *(words(number, message=f"No. {number};") for number in range(30)))
    text = scene.text()

    assert "What was sent before is not shown here." in text
    assert "No. 9;" not in text
    assert "No. 10;" in text


def test_former_leads_of_the_person_and_what_they_came_to() -> None:
    scene = Scene(previous_lead_id="b" * 32)
    for lead_id, before, more in (
        ("b", "c", {"outcome": "lost", "reason": "deal.price", "rep_id": "boris"}),
        ("c", "d", {"outcome": "won", "amount": "900", "currency": "EUR", "rep_id": "gone"}),
        ("d", "e", {"outcome": "rejected", "reason": "reach.no_answer"}),
        ("e", "f", {"outcome": "rejected", "reason": "data.spam"}),
    ):
        former = {"status": "closed", "asked": f"Asked in {lead_id}", **more}
        scene.leads.add(a_lead(lead_id=lead_id * 32, previous_lead_id=before * 32, **former))
    text = scene.text()

    assert "Asked in b Lost: Price · Boris Weber" in text
    assert "Asked in c Won: 900 EUR" in text.replace("\u00a0", " ")
    assert "Asked in d Not a fit: Could not be reached" in text
    assert "Asked in e" not in text


def test_a_former_lead_of_another_team_is_not_shown() -> None:
    scene = Scene(previous_lead_id="b" * 32)
    scene.leads.add(a_lead(lead_id="b" * 32, team="others", status="closed", asked="Secret"))

    assert "Before that" not in scene.text()
