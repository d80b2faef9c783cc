-- name: action-effect
-- purpose: What a change of ours did: the same minutes before and after it, side by side
-- about: Give the action's handle (-p at=jess-7) or a time. The audience grows and shrinks by itself, so compare the percentages.
-- about: Addresses and sessions are estimates (about 2 %). What is on its way when the change rolls out counts as after it.
-- parameter: at action = ko -- an action of the ledger, or a time
-- parameter: minutes integer = 10 -- how long before and after
SELECT
    CASE WHEN at < :at THEN 'before' ELSE 'after' END AS period,
    count(*) AS requests,
    count_if(sc_status IN (200, 206, 304) AND NOT is_abandoned) AS served,
    count_if(x_edge_detailed_result_type = 'ClientGeoBlocked') AS geo_blocked,
    count_if(sc_status = 403 AND coalesce(x_edge_detailed_result_type, '') <> 'ClientGeoBlocked') AS other_403,
    count_if(sc_status = 401) AS unauthorized,
    count_if(sc_status = 451) AS no_rights,
    count_if(sc_status >= 500) AS errors_5xx,
    count_if(is_abandoned) AS abandoned,
    round(1e2 * count_if(sc_status IN (401, 403, 451)) / count(*), 3) AS refused_percent,
    round(1e2 * count_if(is_hit) / count(*), 2) AS hit_percent,
    approx_distinct(c_ip) AS addresses,
    approx_distinct(cmcd_session_id) AS sessions,
    round(sum(sc_bytes) / 1e9, 3) AS gigabytes
FROM requests
WHERE at >= date_add('minute', -1 * :minutes, :at) AND at < date_add('minute', :minutes, :at)
GROUP BY 1
ORDER BY period DESC
