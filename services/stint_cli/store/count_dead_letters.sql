-- How many events could not be read, and how many of those since a moment.
SELECT count(*) AS count, count(*) FILTER (WHERE log_time >= $1) AS new FROM dead_letter;
