-- Find until when a person's token works.
SELECT expires_at
  FROM person_token
 WHERE token_sha256 = $1;
