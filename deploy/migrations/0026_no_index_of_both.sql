-- What runs and what is paused have an index each since 0024. The one for both goes by itself: in one transaction with
-- those that are built, a commit that waits for them would be waited for.
DROP INDEX fold_v1.timer_open_by_start;
