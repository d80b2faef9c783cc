-- name: shared-sessions
-- purpose: Playback sessions (CMCD sid) seen from many addresses or networks: re-streams and shared links
-- about: A viewer on the move has a few addresses in one or two networks; a re-stream has many. Of requests that were served. The digest leads to the token: `onair token revoke`.
-- parameter: addresses integer = 3 -- from how many addresses on
-- needs: cmcd
WITH seen AS (
    SELECT
        cmcd_session_id AS sid,
        c_ip AS address,
        min(asn) AS network,
        min(c_country) AS country,
        min(regexp_extract(viewer_request_log_data, '^1(?:\.[^.]*){3}\.(.+)$', 1)) AS digest,
        count(*) AS requests,
        sum(sc_bytes) AS bytes,
        min(at) AS first_seen,
        max(at) AS last_seen
    FROM requests
    WHERE sc_status IN (200, 206, 304) AND cmcd_session_id IS NOT NULL
    GROUP BY cmcd_session_id, c_ip
)
SELECT
    sid,
    count(*) AS addresses,
    count(DISTINCT network) AS networks,
    count(DISTINCT country) AS countries,
    sum(requests) AS requests,
    round(sum(bytes) / 1e9, 3) AS gigabytes,
    min(digest) AS revocation_digest,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM seen
GROUP BY sid
HAVING count(*) >= :addresses
ORDER BY addresses DESC, requests DESC, sid
LIMIT 200
