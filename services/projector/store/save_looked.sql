-- Write down under which revision every running owner of a partition was looked at. It never goes back.
INSERT INTO policy_looked (kpart, revision)
VALUES ($1, $2)
    ON CONFLICT (kpart) DO UPDATE
   SET revision = greatest(policy_looked.revision, excluded.revision);
