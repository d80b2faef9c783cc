-- name: audience-by-minute
-- purpose: How many watched, minute by minute: playback sessions (CMCD sid), and addresses where there are none
-- about: Of requests that were served. `viewers` is the sessions, or the addresses in a minute in which no player sent CMCD: homes and offices share an address, phones change theirs.
-- needs: cmcd
WITH seen AS (
    SELECT
        date_trunc('minute', at) AS minute,
        cmcd_session_id AS sid,
        c_ip AS address,
        grouping(c_ip) AS of_sessions,
        count(*) AS requests
    FROM requests
    WHERE sc_status IN (200, 206, 304)
    GROUP BY GROUPING SETS ((date_trunc('minute', at), cmcd_session_id), (date_trunc('minute', at), c_ip))
)
SELECT
    minute,
    coalesce(
        nullif(count_if(of_sessions = 1 AND sid IS NOT NULL), 0),
        count_if(of_sessions = 0 AND address IS NOT NULL)
    ) AS viewers,
    count_if(of_sessions = 1 AND sid IS NOT NULL) AS sessions,
    count_if(of_sessions = 0 AND address IS NOT NULL) AS addresses,
    sum(CASE WHEN of_sessions = 0 THEN requests ELSE 0 END) AS requests
FROM seen
GROUP BY minute
ORDER BY minute
