"""Columns of the world's tables, and those in which a row may have nothing."""

from typing import Final

# In the order in which the queries are given the columns. `flags` are text there, and a list in a dump.
COLUMNS: Final = {
    "outcome": ("kpart", "source_offset", "event_id", "tenant", "log_time", "body"),
    "dead_letter": ("kpart", "source_offset", "log_time", "reason"),
    "timer": (
        *("slot", "id", "tenant", "owner", "account_id", "job_id", "project_id", "billable", "work_date", "state"),
        *(
            "started_at",
            "stopped_at",
            "total_us",
            "last_at",
            "flags",
            "started_by",
            "source_offset",
            "provisional",
            "reference",
        ),
    ),
    "interval": ("slot", "timer_id", "seq", "tenant", "owner", "start_at", "end_at", "zone", "logged_at", "reason"),
    "day_total": ("slot", "tenant", "owner", "day", "total_us", "billable_us", "changed_after_lock"),
    "job_total": ("slot", "tenant", "owner", "job_id", "total_us"),
    "work_total": ("slot", "tenant", "kind", "about", "day", "total_us", "billable_us", "changed_after_lock"),
    "timer_history": ("slot", "timer_id", "source_offset", "by", "at", "told", "event_id", "log_time"),
    "violation": (
        *("slot", "timer_id", "rule", "from_at", "to_at", "amount_us", "refused"),
        *("tenant", "owner", "event_id", "policy_revision"),
    ),
    "owner_fact": ("slot", "tenant", "owner", "kind", "about", "body", "known_at"),
}
NULLABLE: Final = {
    "outcome": {"event_id", "tenant"},
    "dead_letter": set[str](),
    "timer": {"account_id", "job_id", "project_id", "work_date", "stopped_at", "provisional", "reference"},
    "interval": {"end_at", "logged_at", "reason"},
    "day_total": set[str](),
    "job_total": set[str](),
    "work_total": set[str](),
    "timer_history": set[str](),
    "violation": {"to_at", "amount_us", "policy_revision"},
    "owner_fact": set[str](),
}
