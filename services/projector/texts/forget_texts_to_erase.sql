-- Take timers off the list of texts to be deleted.
DELETE FROM text_to_erase AS t
 USING unnest($1::integer[], $2::bigint[]) AS erased (slot, timer_id)
 WHERE t.slot = erased.slot AND t.timer_id = erased.timer_id;
