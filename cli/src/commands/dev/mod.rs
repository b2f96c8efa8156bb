//! `backlot dev`: reads the project, starts everything, and stays until it is told to go.

mod account;
mod context;
mod ending;
mod recent;
mod reload;
mod session;
mod settle;
mod start_block;
mod types;

use std::{process::ExitCode, sync::Arc, time::Duration};

use proto::run_folder;

use self::{
    ending::{CUT_SHORT, Ending},
    session::Session,
};
use crate::{
    args::DevArgs,
    settings::{self, Settings},
    ui::{Problem, Terminal},
};

/// How long what still runs may take once we are on our way out.
const LAST_MOMENTS: Duration = Duration::from_millis(500);

/// Runs the command to its exit status.
pub(crate) fn run(args: DevArgs) -> ExitCode {
    let terminal = Arc::new(Terminal::new(
        settings::format(&args),
        settings::least_level(&args),
    ));
    let ended = serve(args, &terminal);
    terminal.flush();
    let exit = match ended {
        Ok(exit) => {
            terminal.end(exit);
            exit
        }
        Err(problem) => {
            terminal.problem(&problem);
            problem.exit
        }
    };
    ExitCode::from(exit)
}

fn serve(args: DevArgs, terminal: &Arc<Terminal>) -> Result<u8, Problem> {
    let settings = Settings::check(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| Problem::broken(format!("cannot start the runtime: {error}")))?;
    let ended = runtime.block_on(async {
        let counting = Arc::clone(terminal);
        // Ends with the runtime; what is left then is shown by whoever owns the terminal.
        tokio::spawn(async move { counting.keep_counting().await });
        let mut stop = ending::Signals::listen()?;
        let mut starting = Box::pin(Session::start(settings, terminal));
        tokio::select! {
            // On the heap: it is most of what this command does.
            session = &mut starting => Box::pin(session?.run(&mut stop)).await,
            // A start that is cut off would leave the services no time to clean up, and takes a moment only.
            () = stop.next() => tokio::select! {
                session = starting => session?.leave(Ending::Asked, &mut stop).await,
                () = stop.next() => Ok(CUT_SHORT),
            },
        }
    });
    runtime.shutdown_timeout(LAST_MOMENTS);
    run_folder::remove_those_of_children(LAST_MOMENTS);
    ended
}
