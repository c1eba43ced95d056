-- Whose texts were erased, by which press, and which timers were drawn before it. A text of such a timer, or of a press
-- that is older on the log, may still come, and is erased too.
CREATE TABLE text_erasure (
    slot          integer NOT NULL,
    tenant        text NOT NULL,
    owner         text NOT NULL,
    kpart         integer NOT NULL,
    source_offset bigint NOT NULL,
    timers_below  bigint NOT NULL,
    PRIMARY KEY (slot, tenant, owner)
);

-- Timers whose texts are to be deleted, here and on timer.texts.v1. The row goes after the tombstone was acknowledged.
CREATE TABLE text_to_erase (
    slot     integer NOT NULL,
    timer_id bigint NOT NULL,
    PRIMARY KEY (slot, timer_id)
);

-- The offset of the events up to which the outcomes were searched for erasures.
CREATE TABLE erasure_position (
    kpart       integer PRIMARY KEY,
    next_offset bigint NOT NULL
);
