-- name: exits-before-start
-- purpose: Sessions that never got to play, by how far they came
-- about: A session is a CMCD sid. It has started when so many video segments were served in full. Refused sessions are apart: they were kept out, they did not leave.
-- about: A session that began before the window, or whose first requests carry no CMCD, looks shorter than it was.
-- parameter: segments integer = 2 -- video segments from which on it has started
-- needs: cmcd
WITH sessions AS (
    SELECT
        cmcd_session_id AS sid,
        count_if(object_kind = 'manifest' AND sc_status IN (200, 206, 304)) AS manifests,
        count_if(object_kind = 'segment' AND coalesce(cmcd_object_type, 'v') IN ('v', 'av')
            AND sc_status IN (200, 206, 304) AND NOT is_abandoned) AS segments,
        count_if(sc_status IN (401, 403, 451)) AS refused,
        count_if(sc_status >= 400 AND sc_status NOT IN (401, 403, 451)) AS errors,
        count_if(is_abandoned) AS abandoned,
        date_diff('second', min(at), max(at)) AS seconds
    FROM requests
    WHERE cmcd_session_id IS NOT NULL
    GROUP BY cmcd_session_id
),
judged AS (
    SELECT
        CASE
            WHEN segments >= :segments THEN '4 started'
            WHEN segments > 0 THEN '3 left during the first segments'
            WHEN refused > 0 THEN '0 refused'
            WHEN manifests > 0 THEN '2 left with a manifest alone'
            ELSE '1 left without a manifest'
        END AS outcome,
        errors,
        abandoned,
        seconds
    FROM sessions
)
SELECT
    outcome,
    count(*) AS sessions,
    round(1e2 * count(*) / sum(count(*)) OVER (), 2) AS sessions_percent,
    count_if(errors > 0) AS with_errors,
    count_if(abandoned > 0) AS with_abandoned_requests,
    round(avg(seconds), 1) AS mean_seconds
FROM judged
GROUP BY outcome
ORDER BY outcome
