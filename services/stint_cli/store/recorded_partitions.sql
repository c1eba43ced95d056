-- The number of partitions for life, no row before it was recorded.
SELECT partitions FROM deployment;
