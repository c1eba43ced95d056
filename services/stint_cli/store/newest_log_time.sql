-- The time of the newest record that was folded, by the brokers' clocks.
SELECT max(last_log_time) FROM checkpoint;
