-- A look at which nothing fell due moved a live deadline without an outcome. Of two moments the earlier one counts: a
-- look too early finds nothing, and a look too late would tell a finding late.
INSERT INTO deadline (kpart, tenant, owner, due_at)
SELECT kpart, tenant, owner, due_at FROM public.deadline
    ON CONFLICT (kpart, tenant, owner) DO UPDATE
   SET due_at = least(deadline.due_at, excluded.due_at);
