-- Count requests of one caller on one URI (R19): how many may go on, and for how many seconds its caller is locked out.
SELECT went_on, locked_seconds FROM count_requests($1, $2, $3, $4, $5, $6);
