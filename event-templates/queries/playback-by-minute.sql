-- name: playback-by-minute
-- purpose: Sessions, starvation, bitrate and throughput as players report them (CMCD), minute by minute
-- about: Of video and muxed segments alone. `bs` says that the player starved since its last request, not for how long. Players that send no CMCD are not here, and neither are refused ones.
-- about: The bitrate is weighted by the segments' duration. Throughput is the mean of each session's measurements; a tenth of the sessions had less than throughput_p10.
-- needs: cmcd
WITH sessions AS (
    SELECT
        date_trunc('minute', at) AS minute,
        cmcd_session_id AS sid,
        count(*) AS requests,
        count_if(cmcd_buffer_starvation) AS starved,
        sum(cmcd_encoded_bitrate * 1e0 * cmcd_object_duration) AS kilobits,
        sum(CASE WHEN cmcd_encoded_bitrate IS NOT NULL THEN cmcd_object_duration END) AS duration,
        avg(cmcd_measured_throughput) AS throughput,
        avg(cmcd_buffer_length) AS buffer
    FROM requests
    WHERE cmcd_object_type IN ('v', 'av') AND sc_status IN (200, 206, 304)
    GROUP BY date_trunc('minute', at), cmcd_session_id
)
SELECT
    minute,
    count(sid) AS sessions,
    sum(requests) AS requests,
    count_if(starved > 0 AND sid IS NOT NULL) AS starved_sessions,
    round(1e2 * sum(starved) / sum(requests), 3) AS starved_percent,
    round(sum(kilobits) / nullif(sum(duration), 0), 0) AS mean_kilobits,
    round(approx_percentile(throughput, 0.1), 0) AS throughput_p10_kilobits,
    round(approx_percentile(buffer, 0.1), 0) AS buffer_p10_ms
FROM sessions
GROUP BY minute
ORDER BY minute
