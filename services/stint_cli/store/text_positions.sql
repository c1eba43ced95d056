-- How far each partition of the texts has been kept.
SELECT kpart, next_offset FROM text_position;
