"""Outside: callers that programs of other people vouch for: the settings `…_ISSUERS` and `…_INTROSPECTION`.

    trusted          which programs these are, as the settings spell it
    issuers          signed tokens: which issuer a token names, and whether that issuer signed it for us
    keys             the keys of one issuer: fetched, fetched again, kept while the issuer is away
    introspection    opaque tokens: one source is asked
    claims           what a token that is believed says: tenant, client, role, person
    bearers          which of these, or our own key, or our tables, judges a token; what was found is remembered
    sources          all of these, wired as the settings say
    fetching         the one way out, with limits on seconds and bytes

Safe to change: how long something is kept.
With care: `claims`. What is missing or odd there must refuse a token, and never make a machine of a person.
Never: a token, a claim or an answer in a log line; a key that the token brings along; 401 for a token that could not
be looked up.
"""
