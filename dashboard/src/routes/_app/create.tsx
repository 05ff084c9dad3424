import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useMayCreateOrganisation } from "~/own-flags/organisations";
import { Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { Empty } from "~/parts/states";
import { FirstEvaluation } from "~/setup/first-evaluation";
import { type FirstFlag, FirstProject } from "~/setup/first-project";

export const Route = createFileRoute("/_app/create")({ component: Create });

/** Everything somebody needs who has an account and nothing else. */
function Create() {
  const [flag, setFlag] = useState<FirstFlag>();
  const mayCreate = useMayCreateOrganisation();
  if (!mayCreate && !flag)
    return (
      <Empty title="You can't make an organisation here">Ask an administrator to invite you to one.</Empty>
    );
  return (
    <Page
      title="A new organisation"
      description="With a project, its environments and a flag to begin with."
      width={760}
      centred
    >
      {flag ? (
        <Section title="Your first flag">
          <FirstEvaluation {...flag} />
        </Section>
      ) : (
        <Section title="What you work on">
          <FirstProject onDone={setFlag} />
        </Section>
      )}
    </Page>
  );
}
