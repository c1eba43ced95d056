-- An outcome's body as a Zstandard frame, which takes a fifth of its text. A row that has one has no text: its `body` is
-- empty, which no reader takes for an outcome. Rows of before, and those that SQL searches, have the text alone.
ALTER TABLE outcome ADD COLUMN packed bytea;
