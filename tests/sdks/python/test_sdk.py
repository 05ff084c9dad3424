"""The published Python SDK against Burgee: remote, local and realtime."""
import collections

import flagsmith.analytics
import pytest
from conftest import answers, within
from flagsmith.exceptions import FlagsmithAPIError


def defaults(data, server_key):
    return {name: state for name, state in data["defaults"].items() if server_key or name not in data["server_key_only"]}


# ---------------------------------------------------------------- remote evaluation
def test_environment_flags(data, client):
    got = answers(client().get_environment_flags())
    assert set(got) == set(data["features"]) - set(data["server_key_only"])
    assert {name: got[name] for name in defaults(data, False)} == defaults(data, False)
    assert got["checkout"] == {"enabled": True, "value": data["variants"]["control"]}


def test_values_keep_their_types(client):
    flags = client().get_environment_flags()
    assert flags.is_feature_enabled("bool_on") is True
    assert flags.is_feature_enabled("old_page") is False
    limit = flags.get_feature_value("limit")
    assert limit == 42 and type(limit) is int
    assert type(flags.get_feature_value("layout")) is str
    assert flags.get_feature_value("bool_on") is None


def test_server_key_only_feature_never_reaches_a_client_key(data, client, unique):
    for hidden in data["server_key_only"]:
        assert hidden not in answers(client("client").get_environment_flags())
        assert hidden not in answers(client("client").get_identity_flags(unique, {"plan": "pro"}))
        assert hidden in answers(client("server").get_environment_flags())
        assert hidden in answers(client("server").get_identity_flags(unique, {"plan": "pro"}))


def test_persistent_traits_are_seen_by_the_next_call_without_them(client, management, unique):
    sdk = client()
    assert sdk.get_identity_flags(unique, {"plan": "pro", "logins": 3, "ratio": 0.5, "beta": True}).get_feature_value("title") == "pro title"
    assert sdk.get_identity_flags(unique).get_feature_value("title") == "pro title"
    assert management.traits(unique) == {"plan": "pro", "logins": 3, "ratio": 0.5, "beta": True}


def test_trait_is_updated_and_removed_by_none(client, management, unique):
    sdk = client()
    sdk.get_identity_flags(unique, {"plan": "pro", "other": "stays"})
    assert sdk.get_identity_flags(unique, {"plan": "free"}).get_feature_value("title") == "default title"
    assert management.traits(unique) == {"plan": "free", "other": "stays"}
    sdk.get_identity_flags(unique, {"plan": None})
    assert management.traits(unique) == {"other": "stays"}


def test_transient_trait_is_used_and_not_stored(client, management, unique):
    sdk = client()
    traits = {"country": "fr", "plan": {"value": "pro", "transient": True}}
    assert sdk.get_identity_flags(unique, traits).get_feature_value("title") == "pro title"
    assert sdk.get_identity_flags(unique).get_feature_value("title") == "default title"
    assert management.traits(unique) == {"country": "fr"}


def test_transient_trait_leaves_the_stored_one_alone(client, management, unique):
    sdk = client()
    sdk.get_identity_flags(unique, {"plan": "pro"})
    shadowed = sdk.get_identity_flags(unique, {"plan": {"value": "free", "transient": True}})
    assert shadowed.get_feature_value("title") == "default title"
    assert management.traits(unique) == {"plan": "pro"}


def test_transient_identity_is_evaluated_and_not_stored(client, management, unique):
    flags = client().get_identity_flags(unique, {"plan": "pro"}, transient=True)
    assert flags.get_feature_value("title") == "pro title"
    assert management.identity(unique) is None


def test_transient_identity_still_has_its_overrides(client):
    flags = client().get_identity_flags("vip-user", transient=True)
    assert flags.get_feature_value("title") == "vip title"


def test_wrong_key_is_refused(data):
    from flagsmith import Flagsmith
    with pytest.raises(FlagsmithAPIError):
        Flagsmith(environment_key="no-such-key", api_url=data["base"] + "/api/v1/").get_environment_flags()


def test_default_flag_handler_for_an_unknown_feature(client):
    from flagsmith.models import DefaultFlag
    sdk = client(default_flag_handler=lambda name: DefaultFlag(enabled=False, value=f"no {name}"))
    assert sdk.get_environment_flags().get_feature_value("no_such_feature") == "no no_such_feature"


# ---------------------------------------------------------------- overrides, remotely and locally
@pytest.fixture(params=["remote", "local"])
def sdk(request, client):
    return client("server", enable_local_evaluation=request.param == "local")


def test_segment_override(sdk, unique):
    flags = sdk.get_identity_flags(unique, {"plan": "pro"})
    assert flags.get_feature_value("title") == "pro title"
    assert flags.get_feature_value("limit") == 100


def test_lower_priority_number_wins(sdk, unique):
    flags = sdk.get_identity_flags(unique, {"plan": "pro", "app_version": "2.1.0"})
    assert flags.get_feature_value("title") == "modern title"
    assert flags.get_feature_value("limit") == 100


def test_segment_override_of_the_weights(sdk, data):
    for identifier in data["split_identifiers"][:20]:
        flag = sdk.get_identity_flags("staff-" + identifier, {"role": "staff"}).get_flag("checkout")
        assert (flag.value, flag.variant) == ("red value", "red")


def test_identity_override(sdk):
    flags = sdk.get_identity_flags("vip-user", {"plan": "pro"})
    assert flags.get_feature_value("title") == "vip title"
    assert (flags.is_feature_enabled("limit"), flags.get_feature_value("limit")) == (False, 7)


# ---------------------------------------------------------------- remote and local agree
def test_environment_flags_agree(data, client):
    remote = answers(client("server").get_environment_flags())
    local = answers(client("server", enable_local_evaluation=True).get_environment_flags())
    assert remote == local
    assert {name: remote[name] for name in data["defaults"]} == data["defaults"]


def test_every_context_agrees_and_is_as_expected(data, client):
    remote, local = client("server"), client("server", enable_local_evaluation=True)
    wrong = []
    for context in data["contexts"]:
        identifier, traits = context["identifier"], context["traits"]
        far, near = (answers(one.get_identity_flags(identifier, traits)) for one in (remote, local))
        wrong += [(identifier, "remote and local differ", name, far.get(name), near.get(name)) for name in sorted(set(far) | set(near)) if far.get(name) != near.get(name)]
        wrong += [(identifier, "unexpected", name, state, far.get(name)) for name, state in context["expect"].items() if far.get(name) != state]
        if set(far) != set(data["features"]):
            wrong.append((identifier, "features", sorted(far)))
    assert wrong == []


def test_multivariate_split_agrees_for_200_identities(data, client):
    remote, local = client("server"), client("server", enable_local_evaluation=True)
    seen, wrong = {}, []
    for identifier in data["split_identifiers"]:
        far, near = (one.get_identity_flags(identifier).get_flag("checkout") for one in (remote, local))
        if (far.value, far.variant) != (near.value, near.variant):
            wrong.append((identifier, far.value, far.variant, near.value, near.variant))
        seen.setdefault(far.variant, []).append(far.value)
    assert wrong == []
    assert {variant: set(values) for variant, values in seen.items()} == {variant: {value} for variant, value in data["variants"].items()}


def test_multivariate_split_keeps_its_shares(client):
    local = client("server", enable_local_evaluation=True)
    shares = collections.Counter(local.get_identity_flags(f"share-{n}").get_flag("checkout").variant for n in range(4000))
    # The keys of an environment are new in every run, so the shares vary; five standard deviations are one run in a million.
    for variant, percent in (("blue", 30), ("green", 20), ("red", 10), ("control", 40)):
        expected = 40 * percent
        assert abs(shares[variant] - expected) < 5 * (expected * (100 - percent) / 100) ** 0.5, (variant, shares[variant])


def test_percentage_split_agrees_for_200_identities(data, client):
    remote, local = client("server"), client("server", enable_local_evaluation=True)
    far, near = ([one.get_identity_flags(i).is_feature_enabled("rollout") for i in data["split_identifiers"]] for one in (remote, local))
    assert far == near
    assert 60 < sum(far) < 140


def test_local_evaluation_knows_the_segments_of_an_identity(client, unique):
    sdk = client("server", enable_local_evaluation=True)
    names = {segment.name for segment in sdk.get_identity_segments(unique, {"plan": "pro", "country": "de", "banned": True})}
    assert "pro" in names and "dach" not in names


def test_local_reason_names_the_segment(client, unique):
    sdk = client("server", enable_local_evaluation=True)
    assert sdk.get_identity_flags(unique, {"plan": "pro"}).get_flag("limit").reason == "TARGETING_MATCH; segment=pro"


# ---------------------------------------------------------------- changes
def test_remote_change_is_seen_at_once(client, management):
    sdk = client()
    for enabled in (True, False):
        management.set_enabled("flip", enabled)
        assert sdk.get_environment_flags().is_feature_enabled("flip") is enabled


def test_polling_sees_a_change(client, management):
    sdk = client("server", enable_local_evaluation=True, environment_refresh_interval_seconds=0.5)
    try:
        management.set_enabled("flip", True)
        within(5, lambda: sdk.get_environment_flags().is_feature_enabled("flip"))
    finally:
        management.set_enabled("flip", False)


def test_realtime_change_is_seen_within_five_seconds(data, client, management):
    # With realtime updates the SDK does not poll at all: only the stream can bring the change.
    sdk = client("server", enable_local_evaluation=True, enable_realtime_updates=True, realtime_api_url=data["base"])
    assert not hasattr(sdk, "environment_data_polling_manager_thread")
    for enabled in (True, False, True, False):
        management.set_enabled("flip", enabled)
        took = within(5, lambda: sdk.get_environment_flags().is_feature_enabled("flip") is enabled)
        print(f"seen after {took:.2f} s")


# ---------------------------------------------------------------- analytics
def test_analytics_are_accepted(client, monkeypatch):
    posted, post = [], flagsmith.analytics.session.post
    monkeypatch.setattr(flagsmith.analytics.session, "post", lambda *a, **k: posted.append(post(*a, **k)) or posted[-1])
    sdk = client(enable_analytics=True)
    flags = sdk.get_environment_flags()
    for name in ("title", "title", "limit"):
        flags.get_flag(name)
    assert sdk._analytics_processor.analytics_data == {"title": 2, "limit": 1}
    sdk._analytics_processor.flush()
    assert [answer.result(timeout=10).status_code for answer in posted] == [200]
