-- Some of the timers whose texts are to be deleted.
SELECT slot, timer_id FROM text_to_erase ORDER BY slot, timer_id LIMIT $1;
