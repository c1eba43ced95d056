-- Write facts about owners. A profile comes in parts: a field that is not named stays as it was.
-- Texts may be erased more than once, and the last time counts. Any other fact that comes again with the same content
-- changes nothing, so it counts from its first time. A commit writes the newest content of a fact; `changed` says that it
-- had another content before that.
MERGE INTO owner_fact was
USING (
      SELECT *
        FROM unnest(
                 $1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[],
                 $8::boolean[]
             ) AS f (slot, tenant, owner, kind, about, body, known_at, changed)
      ) told
   ON (was.slot, was.tenant, was.owner, was.kind, was.about)
      BETWEEN (told.slot, told.tenant, told.owner, told.kind, told.about)
          AND (told.slot, told.tenant, told.owner, told.kind, told.about)
 WHEN MATCHED AND (told.kind IN ('profile', 'texts_erased') OR told.changed OR was.body <> told.body) THEN
      UPDATE
         SET body = CASE WHEN told.kind = 'profile' THEN was.body || told.body ELSE told.body END,
             known_at = told.known_at
 WHEN NOT MATCHED THEN
      INSERT (slot, tenant, owner, kind, about, body, known_at)
      VALUES (told.slot, told.tenant, told.owner, told.kind, told.about, told.body, told.known_at);
