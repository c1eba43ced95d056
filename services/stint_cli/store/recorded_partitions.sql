-- The number of partitions for life; no row before that number was recorded.
SELECT partitions FROM deployment;
