import { Switch } from "@mantine/core";
import { IconZoomQuestion } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { api } from "~/api/client";
import { ExplainForm } from "~/explanations/explain-form";
import { Explanation } from "~/explanations/explanation";
import { isAsked, type Question, readQuestion, toBody } from "~/explanations/question";
import { Page } from "~/parts/page";
import { SearchInput } from "~/parts/search-input";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/explain")({
  validateSearch: readQuestion,
  component: ExplainPage,
});

function ExplainPage() {
  const question = Route.useSearch();
  const navigate = Route.useNavigate();
  const { environment } = usePlace();
  const change = (change: Partial<Question>, replace = true) =>
    navigate({ search: { ...question, ...change }, replace, resetScroll: false });
  return (
    <Page
      title="Explain"
      description={`What somebody gets in ${environment.name}, and why. Nothing is stored, nothing is counted.`}
    >
      <Section title="Who">
        <ExplainForm
          key={JSON.stringify([question.identifier, question.traits])}
          question={question}
          onAsk={(asked) => change({ ...asked, open: question.open }, false)}
        />
      </Section>
      {isAsked(question) ? (
        <Answer question={question} onChange={change} />
      ) : (
        <Empty icon={<IconZoomQuestion />} title="Whose flags?">
          Give an identifier, or traits, and see every flag with the reason for its answer.
        </Empty>
      )}
    </Page>
  );
}

interface AnswerProps {
  question: Question;
  onChange: (change: Partial<Question>) => void;
}

function Answer({ question, onChange }: AnswerProps) {
  const { environment } = usePlace();
  const query = api.useQuery(
    "post",
    "/api/v1/environments/{environment_key}/explain/",
    { params: { path: { environment_key: environment.api_key } }, body: toBody(question) },
    { staleTime: 0, placeholderData: (previous) => previous },
  );
  return (
    <Loaded query={query}>
      {(explanation) => (
        <Explanation
          explanation={explanation}
          question={question}
          onChange={onChange}
          filter={
            <>
              <SearchInput
                placeholder="Search features"
                value={question.q ?? ""}
                onSearch={(q) => onChange({ q: q || undefined })}
                style={{ flex: "1 1 14rem", maxWidth: 420 }}
              />
              <Switch
                label="Only what is not as for everybody"
                checked={question.special ?? false}
                onChange={(event) => onChange({ special: event.currentTarget.checked || undefined })}
              />
            </>
          }
        />
      )}
    </Loaded>
  );
}
