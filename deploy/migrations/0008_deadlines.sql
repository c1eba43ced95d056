-- When something next falls due for an owner, as the fold last said. An owner for whom nothing will has no row.
CREATE TABLE fold_v1.deadline (
    kpart  integer NOT NULL,
    tenant text NOT NULL,
    owner  text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (kpart, tenant, owner)
);
-- What the clock asks several times a second: what is due by now, oldest first, from after a place on.
CREATE INDEX deadline_by_moment ON fold_v1.deadline (kpart, due_at, tenant, owner);

-- How far the clock has come with new policies: every owner with a running timer was told to look under them. It stands
-- in the version of the read models whose deadlines it is about. A partition without a row begins at the first policy.
CREATE TABLE fold_v1.policy_looked (
    kpart    integer PRIMARY KEY,
    revision bigint NOT NULL
);

CREATE VIEW deadline AS SELECT * FROM fold_v1.deadline;
