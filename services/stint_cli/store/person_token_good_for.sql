-- The end of validity of an opaque token of one person; no row when the token is not that person's.
SELECT expires_at FROM person_token WHERE token_sha256 = $1 AND tenant = $2 AND owner = $3;
