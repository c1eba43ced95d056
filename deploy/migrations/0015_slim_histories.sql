-- A line of a history says each thing once, and in a column what has a type of its own. What is not said is left out.
ALTER TABLE fold_v1.timer_history ADD COLUMN event_id uuid, ADD COLUMN log_time timestamptz;
CREATE OR REPLACE VIEW timer_history AS SELECT * FROM fold_v1.timer_history;

-- Within the text of a JSON string a quote has a backslash before it, so these find members and nothing else.
UPDATE fold_v1.timer_history
   SET event_id = substring(told FROM '"event_id":"([0-9a-f-]{36})"')::uuid,
       log_time = substring(told FROM '"log_time":"([^"]+)"')::timestamptz,
       told = regexp_replace(
           told, ',"event_id":"[^"]*"|,"log_time":"[^"]*"|,"(rule|actor|person|dialect|asked_at)":null', '', 'g'
       );
