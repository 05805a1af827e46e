"""What the server answers is what its OpenAPI document says."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import load_all_checks

pytestmark = [
    pytest.mark.slow,
    # What schemathesis and its parsers leave open is none of the server.
    pytest.mark.filterwarnings("ignore"),
]
# Rows that fit the schema may still be no table that the model can go on from.
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
REFUSED = ["2xx", "401", "404", "413", "422"]


def test_answers_are_those_of_the_document(server):
    load_all_checks()
    schema = schemathesis.openapi.from_dict(server.client.get("/openapi.json").json())
    schema.config.checks.positive_data_acceptance.expected_statuses = REFUSED
    statuses = []
    for result in schema.get_all_operations():

        @EXAMPLES
        @given(case=result.ok().as_strategy())
        def check(case):
            wanted = case.as_transport_kwargs(base_url="http://testserver")
            answer = server.client.request(**wanted)
            statuses.append(answer.status_code)
            case.validate_response(answer)

        check()
    assert len(statuses) > 40 and {200, 422} <= {*statuses}
