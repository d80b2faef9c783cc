-- name: event-experience
-- purpose: What viewers felt over the whole window, in one row, without those who were kept out
-- about: A viewer is a playback session (CMCD sid), or a pair of address and user agent from which no session is known, when it asked for manifests or segments. Kept out are viewers who were refused (401, 403, 451) and got no video segment, or had a tenth of their requests refused.
-- about: `bs` says that a player starved since its last request, not for how long: starved_percent is of video segments. Startup is first request to first video segment, to the second where the logs have no milliseconds.
WITH seen AS (
    SELECT
        cmcd_session_id AS sid,
        c_ip AS address,
        cs_user_agent AS agent,
        count(*) AS requests,
        count_if(object_kind IN ('manifest', 'init', 'segment')) AS media,
        count_if(sc_status IN (401, 403, 451)) AS refused,
        count_if(object_kind = 'segment' AND coalesce(cmcd_object_type, 'v') IN ('v', 'av') AND sc_status IN (200, 206, 304)) AS segments,
        count_if(cmcd_object_type IN ('v', 'av') AND sc_status IN (200, 206, 304)) AS told,
        count_if(cmcd_object_type IN ('v', 'av') AND sc_status IN (200, 206, 304) AND cmcd_buffer_starvation) AS starved,
        sum(CASE WHEN cmcd_object_type IN ('v', 'av') AND sc_status IN (200, 206, 304) THEN cmcd_encoded_bitrate * 1e0 * cmcd_object_duration END) AS kilobits,
        sum(CASE WHEN cmcd_object_type IN ('v', 'av') AND sc_status IN (200, 206, 304) AND cmcd_encoded_bitrate IS NOT NULL THEN cmcd_object_duration END) AS duration,
        min(at) AS first_seen,
        min(CASE WHEN object_kind = 'segment' AND coalesce(cmcd_object_type, 'v') IN ('v', 'av') AND sc_status IN (200, 206, 304) THEN at END) AS first_segment
    FROM requests
    GROUP BY cmcd_session_id, c_ip, cs_user_agent
),
known AS (
    SELECT
        seen.*,
        max(CASE WHEN sid IS NULL THEN 0 ELSE 1 END) OVER (PARTITION BY address, agent) AS has_sessions
    FROM seen
),
viewers AS (
    SELECT
        sum(requests) AS requests,
        sum(refused) AS refused,
        sum(segments) AS segments,
        sum(told) AS told,
        sum(starved) AS starved,
        sum(kilobits) AS kilobits,
        sum(duration) AS duration,
        date_diff('millisecond', min(first_seen), min(first_segment)) AS startup
    FROM known
    WHERE sid IS NOT NULL OR has_sessions = 0
    GROUP BY sid, CASE WHEN sid IS NULL THEN address END, CASE WHEN sid IS NULL THEN agent END
    HAVING sum(media) > 0
),
judged AS (
    SELECT
        refused > 0 AND (segments = 0 OR refused * 10 >= requests) AS is_kept_out,
        segments,
        told,
        starved,
        kilobits,
        duration,
        startup
    FROM viewers
)
SELECT
    count(*) AS viewers,
    count_if(is_kept_out) AS kept_out,
    count_if(NOT is_kept_out AND segments = 0) AS never_started,
    count_if(NOT is_kept_out AND told > 0) AS reporting_viewers,
    count_if(NOT is_kept_out AND starved > 0) AS starved_viewers,
    round(1e2 * sum(CASE WHEN NOT is_kept_out THEN starved END) / nullif(sum(CASE WHEN NOT is_kept_out THEN told END), 0), 3) AS starved_percent,
    round(sum(CASE WHEN NOT is_kept_out THEN kilobits END) / nullif(sum(CASE WHEN NOT is_kept_out THEN duration END), 0), 0) AS mean_kilobits,
    approx_percentile(CASE WHEN NOT is_kept_out THEN startup END, 0.5) AS startup_p50_ms,
    approx_percentile(CASE WHEN NOT is_kept_out THEN startup END, 0.95) AS startup_p95_ms,
    coalesce(sum(CASE WHEN NOT is_kept_out THEN starved END), 0) AS starved_segments,
    coalesce(sum(CASE WHEN NOT is_kept_out THEN told END), 0) AS video_segments
FROM judged
ORDER BY viewers
