-- name: rebuffering-by-network
-- purpose: Which networks starved: sessions, bitrate and throughput by AS number and country
-- about: One network far above the others points at its way to the edge; all alike point at us. `bs` is a flag of a request, so starved_percent is of requests, not of time.
-- parameter: least integer = 5 -- sessions from which on a network counts
-- needs: cmcd, network
WITH sessions AS (
    SELECT
        asn,
        c_country AS country,
        cmcd_session_id AS sid,
        count(*) AS requests,
        count_if(cmcd_buffer_starvation) AS starved,
        sum(cmcd_encoded_bitrate * 1e0 * cmcd_object_duration) AS kilobits,
        sum(CASE WHEN cmcd_encoded_bitrate IS NOT NULL THEN cmcd_object_duration END) AS duration,
        avg(cmcd_measured_throughput) AS throughput
    FROM requests
    WHERE cmcd_object_type IN ('v', 'av') AND cmcd_session_id IS NOT NULL AND sc_status IN (200, 206, 304)
    GROUP BY asn, c_country, cmcd_session_id
)
SELECT
    asn AS network,
    country,
    count(*) AS sessions,
    count_if(starved > 0) AS starved_sessions,
    round(1e2 * count_if(starved > 0) / count(*), 2) AS starved_sessions_percent,
    round(1e2 * sum(starved) / sum(requests), 3) AS starved_percent,
    round(sum(kilobits) / nullif(sum(duration), 0), 0) AS mean_kilobits,
    round(approx_percentile(throughput, 0.1), 0) AS throughput_p10_kilobits
FROM sessions
GROUP BY asn, country
HAVING count(*) >= :least
ORDER BY starved_percent DESC, sessions DESC, network, country
LIMIT 200
