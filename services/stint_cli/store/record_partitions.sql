-- Record the number of partitions for life. The first one wins.
INSERT INTO deployment (partitions) VALUES ($1) ON CONFLICT DO NOTHING;
