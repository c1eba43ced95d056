-- Give every partition its checkpoint, at the beginning of the log. Existing checkpoints are not moved.
INSERT INTO fold_v1.checkpoint (kpart) SELECT generate_series(0, $1::integer - 1) ON CONFLICT DO NOTHING;
