-- The revision under which every running owner of each partition was looked at; -1 where that is not written down.
SELECT asked.kpart, coalesce(p.revision, -1) AS revision
  FROM unnest($1::integer[]) AS asked (kpart)
  LEFT JOIN policy_looked p ON p.kpart = asked.kpart;
