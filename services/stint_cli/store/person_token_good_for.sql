-- Until when an opaque token of one person is good; no row when it is not theirs.
SELECT expires_at FROM person_token WHERE token_sha256 = $1 AND tenant = $2 AND owner = $3;
