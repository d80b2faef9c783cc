-- name: playback-by-minute
-- purpose: Sessions, starvation, bitrate and throughput as players report them (CMCD), minute by minute
-- parameters: from timestamp = doors, until timestamp = end
-- Of video and muxed segments alone. `bs` says that the player starved since its last request, not
-- for how long. Players that send no CMCD are not here.
WITH requests AS (
    SELECT
        date_trunc('minute', from_unixtime("timestamp")) AS minute,
        cmcd_session_id AS sid,
        coalesce(cmcd_buffer_starvation, '-') NOT IN ('-', '', 'false') AS starved,
        cmcd_encoded_bitrate AS kilobits,
        cmcd_measured_throughput AS throughput,
        cmcd_object_duration AS duration,
        time_to_first_byte AS first_byte
    FROM {{realtime}}
    WHERE {{hours}} AND cmcd_object_type IN ('v', 'av')
)
SELECT
    minute,
    approx_distinct(sid) AS sessions,
    count(*) AS requests,
    round(100e0 * count_if(starved) / count(*), 3) AS starved_percent,
    round(sum(kilobits * 1e0 * duration) / nullif(sum(duration), 0), 0) AS mean_kilobits,
    approx_percentile(throughput, 0.1) AS throughput_p10_kilobits,
    round(1000 * approx_percentile(first_byte, 0.95), 0) AS first_byte_p95_ms
FROM requests
WHERE minute >= {{from}} AND minute < {{until}}
GROUP BY minute
ORDER BY minute
