"""Window: the last outcomes in memory, and how readers walk through them. No broker, no HTTP.

    position    where a reader stands on each partition, and how that is spelt
    record      one record of the judged stream: whose it is, and its bytes as they are
    window      the last outcomes of all tenants, bounded; each tenant's are on a shelf
    walk        one reader's way along one shelf
    backlog     what was on the stream before this process began, as far as a window holds it

Safe to change: sizes. With care: `position`, because callers keep positions for days; a new spelling is a new version.
Never: an outcome on the shelf of a tenant that its bytes do not name.
"""
