import { Stepper } from "@mantine/core";
import { createFileRoute, Navigate } from "@tanstack/react-router";
import { useState } from "react";
import * as session from "~/api/session";
import { Loaded } from "~/parts/states";
import { Door } from "~/session/door";
import { Administrator } from "~/setup/administrator";
import { FirstEvaluation } from "~/setup/first-evaluation";
import { type FirstFlag, FirstProject } from "~/setup/first-project";
import { useIsFresh } from "~/setup/is-fresh";

export const Route = createFileRoute("/setup")({ component: SetUp });

const TITLES = ["Set up Burgee", "What you work on", "Your first flag"];

function SetUp() {
  const fresh = useIsFresh();
  const [step, setStep] = useState(0);
  const [flag, setFlag] = useState<FirstFlag>();
  return (
    <Loaded query={fresh} rows={2}>
      {(isFresh) =>
        !isFresh && step === 0 ? (
          <Navigate to="/" replace />
        ) : (
          <Door title={TITLES[step] ?? ""} width={step === 2 ? 720 : 480}>
            <Stepper active={step} size="xs" iconSize={28}>
              <Stepper.Step label="You" />
              <Stepper.Step label="Project" />
              <Stepper.Step label="Flag" />
            </Stepper>
            {step === 0 && (
              <Administrator
                onKey={(key) => {
                  session.begin(key, false);
                  setStep(1);
                }}
              />
            )}
            {step === 1 && (
              <FirstProject
                onDone={(made) => {
                  setFlag(made);
                  setStep(2);
                }}
              />
            )}
            {step === 2 && flag && <FirstEvaluation {...flag} />}
          </Door>
        )
      }
    </Loaded>
  );
}
