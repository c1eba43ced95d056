-- How many partitions this deployment was made with, for life.
SELECT partitions FROM deployment;
