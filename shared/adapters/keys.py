"""The keys of the table, all of them, and nothing else knows one. Each access pattern has its line
here.

| pattern                                   | where                                             |
|-------------------------------------------|---------------------------------------------------|
| read, write one lead                      | PK LEAD#<lead_id>, SK LEAD                        |
| the story of a lead                       | query PK LEAD#<lead_id>                           |
| what made no lead, by day                 | query PK INTAKE#<day>#<shard> (16 queries)        |
| a retried post finds its first answer     | PK RECEIPT#<form>#<key>                           |
| a contact finds its open lead             | PK CONTACT#<kind>#<hash>                          |
| a code from an SMS finds lead and person  | PK LINK#<hash>                                    |
| who asked for a new link, how many did   | PK ASKED#<team>#<rep_id>, ASKED#<end of the hour> |
| the people of a team, its rotation        | query PK TEAM#<team>                              |
| the teams that people were entered in     | query PK TEAM#                                    |
| how often a phone has rung lately         | PK RINGING#<team>#<rep_id>, SK RINGING            |
| on which day a team was warned            | PK TEAM#<team>, SK CHANNELS                       |
| the policy in force, one version, one doc | PK POLICY, SK CURRENT, VERSION#<n>; POLICY#<doc>  |
| leads that should have been woken         | index due: due_shard, due_at (16 queries)         |
| open leads of a rep, or of nobody         | index rep: open_rep, received_at                  |
| leads by day of capture                   | index day: day_shard, received_at (16 queries)    |
"""

import hashlib

Key = dict[str, str]
"""`PK` and `SK`."""

SHARDS = "0123456789abcdef"
"""An index key takes 1,000 writes a second: spread by the first character of the random lead id."""


def lead(lead_id: str) -> Key:
    return {"PK": f"LEAD#{lead_id}", "SK": "LEAD"}


def event(lead_id: str, sequence: int) -> Key:
    return {"PK": f"LEAD#{lead_id}", "SK": f"EVENT#{sequence:06d}"}


def submission(lead_id: str, submission_id: str) -> Key:
    return {"PK": f"LEAD#{lead_id}", "SK": f"SUBMISSION#{submission_id}"}


def note(lead_id: str, note_id: str) -> Key:
    return {"PK": f"LEAD#{lead_id}", "SK": f"NOTE#{note_id}"}


def alert(lead_id: str, alert_id: str) -> Key:
    return {"PK": f"LEAD#{lead_id}", "SK": f"ALERT#{alert_id}"}


def intake(day: str, submission_id: str) -> Key:
    """`day` is the UTC date of receipt, `2026-11-20`."""
    return {
        "PK": f"INTAKE#{day}#{shard(submission_id)}",
        "SK": f"SUBMISSION#{submission_id}",
    }


def receipt(form_id: str, receipt_key: str) -> Key:
    return {"PK": f"RECEIPT#{form_id}#{receipt_key}", "SK": "RECEIPT"}


def contact(guard: str) -> Key:
    """`guard` is `<kind>#<hash>`."""
    return {"PK": f"CONTACT#{guard}", "SK": "CONTACT"}


def link(code: str) -> Key:
    """Codes are stored hashed: whoever reads the table cannot open a lead."""
    return {"PK": f"LINK#{hashlib.sha256(code.encode()).hexdigest()}", "SK": "LINK"}


def link_asked(team: str, rep_id: str) -> Key:
    """When a person last asked for a new link."""
    return {"PK": f"ASKED#{team}#{rep_id}", "SK": "PERSON"}


def links_asked(hour_is_over: int) -> Key:
    """How many links were asked for in an hour, by its end in epoch seconds."""
    return {"PK": f"ASKED#{hour_is_over}", "SK": "HOUR"}


def rep(team: str, rep_id: str) -> Key:
    return {"PK": f"TEAM#{team}", "SK": f"REP#{rep_id}"}


TEAMS = "TEAM#"
"""Partition of the teams."""


def team(name: str) -> Key:
    """That there is a team, for who knows a person's number only."""
    return {"PK": TEAMS, "SK": name}


def rotation(team: str) -> Key:
    return {"PK": f"TEAM#{team}", "SK": "ROTATION"}


def ringing(team: str, rep_id: str) -> Key:
    return {"PK": f"RINGING#{team}#{rep_id}", "SK": "RINGING"}


def channels(team: str) -> Key:
    return {"PK": f"TEAM#{team}", "SK": "CHANNELS"}


def policy_current() -> Key:
    return {"PK": "POLICY", "SK": "CURRENT"}


def policy_version(version: int) -> Key:
    return {"PK": "POLICY", "SK": f"VERSION#{version:06d}"}


def policy_document(name: str, version: int) -> Key:
    return {"PK": f"POLICY#{name}", "SK": f"VERSION#{version:06d}"}


def shard(lead_id: str) -> str:
    return lead_id[0]


def due_shard(shard_of_lead: str) -> str:
    return f"DUE#{shard_of_lead}"


def day_shard(day: str, shard_of_lead: str) -> str:
    """`day` is the UTC date of capture, `2026-11-20`."""
    return f"DAY#{day}#{shard_of_lead}"


def open_rep(team: str, rep_id: str | None) -> str:
    """The open leads of a rep; those of a team that nobody has yet when `rep_id` is None."""
    return f"REP#{team}#{rep_id or ''}"


def lead_id_of(pk: str) -> str:
    return pk.removeprefix("LEAD#")
