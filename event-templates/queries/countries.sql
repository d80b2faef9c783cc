-- name: countries
-- purpose: Who watched from where, what was refused there, and how much it was: rights at a glance
-- about: 403 comes of the geo restriction (geo_blocked) or of the web ACL and the function (other_403), 401 of the function, 451 of the function for want of rights. Addresses are an estimate (about 2 %).
-- needs: country
SELECT
    c_country AS country,
    count(*) AS requests,
    count_if(sc_status IN (200, 206, 304)) AS served,
    count_if(x_edge_detailed_result_type = 'ClientGeoBlocked') AS geo_blocked,
    count_if(sc_status = 403 AND coalesce(x_edge_detailed_result_type, '') <> 'ClientGeoBlocked') AS other_403,
    count_if(sc_status = 401) AS unauthorized,
    count_if(sc_status = 451) AS no_rights,
    count_if(is_abandoned) AS abandoned,
    approx_distinct(c_ip) AS addresses,
    round(sum(sc_bytes) / 1e9, 3) AS gigabytes
FROM requests
GROUP BY c_country
ORDER BY requests DESC, country
