-- The columns of one table's primary key, in order.
SELECT a.attname AS name
  FROM pg_index x
 CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
 WHERE x.indrelid = $1::text::regclass AND x.indisprimary
 ORDER BY k.place;
