-- A line of a history leaves out what its press makes when it is accepted, and names the presser without a box around.
-- It is kept for ever, and nearly every line says just that.
-- Within the text of a JSON string a quote has a backslash before it, so these find members and nothing else.
UPDATE fold_v1.timer_history
   SET told = regexp_replace(
           regexp_replace(
               regexp_replace(
                   told,
                   '^(\{"what":"(?:start|resume)","verdict":"accepted"),"state":"RUNNING"'
                   '|^(\{"what":"pause","verdict":"accepted"),"state":"PAUSED"'
                   '|^(\{"what":"stop","verdict":"accepted"),"state":"STOPPED"',
                   '\1\2\3'
               ),
               '^(\{"what":"[^"]*"),"verdict":"accepted"', '\1'
           ),
           ',"actor":\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\}', ',\1'
       );
